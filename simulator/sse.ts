/** Server-sent events as the WHATWG standard frames them, cut anyhow into chunks. Keeps at most one event in memory. */
export interface SseEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/** Longer than any event of the product; a stream without an end of event must not fill the memory. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** Feed it text; it gives the events that are complete. Throws a RangeError when one grows beyond reason. */
export function sseParser(): (chunk: string) => SseEvent[] {
  let rest = '';
  let fields = emptyFields();
  return (chunk) => {
    // A CR at the end may be half of a CRLF: it waits for what follows.
    const text = rest + chunk;
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? '') + text.slice(whole.length);
    if (rest.length + fields.size > MOST_CHARACTERS)
      throw new RangeError('an event of the stream does not end');
    return lines.flatMap((line) => {
      if (line !== '') {
        takeField(fields, line);
        return [];
      }
      const done = fields;
      fields = { ...emptyFields(), id: done.id };
      return done.data.length === 0
        ? []
        : [{ event: done.event || 'message', data: done.data.join('\n'), id: done.id }];
    });
  };
}

interface Fields {
  event: string;
  data: string[];
  id: string | undefined;
  size: number;
}

const emptyFields = (): Fields => ({ event: '', data: [], id: undefined, size: 0 });

function takeField(fields: Fields, line: string): void {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  fields.size += line.length;
  if (name === 'event') fields.event = value;
  else if (name === 'data') fields.data.push(value);
  else if (name === 'id') fields.id = value;
}
