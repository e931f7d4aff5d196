import { Interned } from '../../../backbone/interned.ts';
import { EpochMs, Quality, Statistic } from '../../../contracts/index.ts';
import type { Reading } from '../codec.ts';
import { JsonScanner, SIGN } from './json-scanner.ts';
import { rfc3339 } from './rfc3339.ts';

/**
 * Readings straight from the bytes of a NativePayload, without an object for each brace: in the time that JSON.parse takes
 * alone, with all that had to be checked, and put in order, behind it.
 *
 * It is sound, not complete: what it accepts, JSON.parse and the schema accept with the same readings in the same order;
 * of whatever it is not sure (escapes, keys that stand twice, anything wrong) it says null, and those decide. A property
 * test holds the two together.
 */
export function scanNativePayload(payload: Buffer): Reading[] | null {
  return payloadScanner.scan(payload);
}

const QUALITIES: ReadonlySet<string> = new Set(Quality.options);
const STATISTICS: ReadonlySet<string> = new Set(Statistic.options);
const EARLIEST = EpochMs.minValue ?? 0;
const LATEST = EpochMs.maxValue ?? 0;
const MOST_MESSAGES = 1_000;
/** More properties than this in one message, and telling that none stands twice is left to JSON.parse. */
const MOST_PROPERTIES = 32;

/** Devices send the same few properties, units and qualities for ever. */
const texts = new Interned(16_384);

class PayloadScanner extends JsonScanner {
  #readings: Reading[] = [];
  /** Of the message at hand: its first reading, and which fields were there. */
  #first = 0;
  #time = Number.NaN;
  #statistic: Statistic = 'instant';
  #quality: Quality = 'valid';
  #fields = 0;

  scan(payload: Buffer): Reading[] | null {
    this.begin(payload);
    this.#readings = [];
    const whole = this.#messages() && this.atEnd();
    const readings = this.#readings;
    this.#readings = [];
    this.begin(NOTHING);
    return whole ? readings : null;
  }

  #messages(): boolean {
    if (!this.take(SIGN.beginArray)) return this.#message();
    for (let count = 1; count <= MOST_MESSAGES; count++) {
      if (!this.#message()) return false;
      if (this.take(SIGN.endArray)) return true;
      if (!this.take(SIGN.comma)) return false;
    }
    return false;
  }

  #message(): boolean {
    if (!this.take(SIGN.beginObject)) return false;
    this.#first = this.#readings.length;
    this.#time = Number.NaN;
    this.#statistic = 'instant';
    this.#quality = 'valid';
    this.#fields = 0;
    do {
      if (!this.key() || !this.#field()) return false;
    } while (this.take(SIGN.comma));
    return this.take(SIGN.endObject) && this.#complete();
  }

  #field(): boolean {
    if (this.textIs('readings')) return this.#isFirst(READINGS) && this.#readReadings();
    if (this.textIs('time')) return this.#isFirst(TIME) && this.#readTime();
    if (this.textIs('quality')) return this.#isFirst(QUALITY) && this.#readQuality();
    if (this.textIs('statistic')) return this.#isFirst(STATISTIC) && this.#readStatistic();
    return false;
  }

  #isFirst(field: number): boolean {
    if ((this.#fields & field) !== 0) return false;
    this.#fields |= field;
    return true;
  }

  #readTime(): boolean {
    if (this.text()) {
      this.#time = rfc3339(this.bytes, this.textFrom, this.textTo);
      return !Number.isNaN(this.#time);
    }
    const time = this.number();
    this.#time = time;
    return Number.isInteger(time) && time >= EARLIEST && time <= LATEST;
  }

  #readQuality(): boolean {
    const quality = this.#qualityText();
    if (quality === null) return false;
    this.#quality = quality;
    return true;
  }

  #readStatistic(): boolean {
    if (!this.text()) return false;
    const statistic = texts.read(this.bytes, this.textFrom, this.textTo);
    if (!STATISTICS.has(statistic)) return false;
    this.#statistic = statistic as Statistic;
    return true;
  }

  #readReadings(): boolean {
    if (!this.take(SIGN.beginObject)) return false;
    if (this.take(SIGN.endObject)) return true;
    do {
      if (!this.key()) return false;
      const property = this.#property();
      if (property === null || !this.#reading(property)) return false;
    } while (this.take(SIGN.comma));
    return this.take(SIGN.endObject);
  }

  /** Null also for a property that came in this message already, and for one that an object would put elsewhere. */
  #property(): string | null {
    const property = texts.read(this.bytes, this.textFrom, this.textTo);
    const first = property.charCodeAt(0);
    if (property === '' || property.length > 64 || (first >= DIGIT_0 && first <= DIGIT_9)) return null;
    if (property === '__proto__' || this.#readings.length - this.#first >= MOST_PROPERTIES) return null;
    for (let i = this.#first; i < this.#readings.length; i++) {
      if (this.#readings[i]?.property === property) return null;
    }
    return property;
  }

  #reading(property: string): boolean {
    if (!this.take(SIGN.beginObject)) {
      const value = this.number();
      return !Number.isNaN(value) && this.#add(property, value, null, null);
    }
    let value = Number.NaN;
    let unit: string | null = null;
    let quality: Quality | null = null;
    do {
      if (!this.key()) return false;
      if (Number.isNaN(value) && this.textIs('value')) {
        value = this.number();
        if (Number.isNaN(value)) return false;
      } else if (unit === null && this.textIs('unit')) {
        if (!this.text()) return false;
        unit = texts.read(this.bytes, this.textFrom, this.textTo);
        if (unit.length > 32) return false;
      } else if (quality === null && this.textIs('quality')) {
        quality = this.#qualityText();
        if (quality === null) return false;
      } else return false;
    } while (this.take(SIGN.comma));
    return this.take(SIGN.endObject) && !Number.isNaN(value) && this.#add(property, value, unit, quality);
  }

  #qualityText(): Quality | null {
    if (!this.text()) return null;
    const quality = texts.read(this.bytes, this.textFrom, this.textTo);
    return QUALITIES.has(quality) ? (quality as Quality) : null;
  }

  /** Time, statistic and quality of the message may come behind its readings: they are put in place at its end. */
  #add(property: string, value: number, unit: string | null, quality: Quality | null): boolean {
    const statistic = this.#statistic;
    this.#readings.push({ property, statistic, time: 0, value, unit, quality: quality ?? OF_THE_MESSAGE });
    return true;
  }

  #complete(): boolean {
    if ((this.#fields & (TIME | READINGS)) !== (TIME | READINGS)) return false;
    for (let i = this.#first; i < this.#readings.length; i++) {
      const reading = this.#readings[i] as Reading;
      reading.time = this.#time;
      reading.statistic = this.#statistic;
      if (reading.quality === OF_THE_MESSAGE) reading.quality = this.#quality;
    }
    return true;
  }
}

const TIME = 1;
const READINGS = 2;
const QUALITY = 4;
const STATISTIC = 8;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const NOTHING = Buffer.alloc(0);
/** Stands in a reading that states no quality until the message's own is known. */
const OF_THE_MESSAGE = '' as Quality;
const payloadScanner = new PayloadScanner();
