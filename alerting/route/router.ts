import type { Catalog } from '../../backbone/catalog.ts';
import type { Assignment, LonLat, Route } from '../../contracts/index.ts';
import { groupBy } from '../store/group-by.ts';
import { inForce, localDate } from '../store/local-time.ts';
import { type Area, AreaIndex } from './areas.ts';
import { routeText } from './sentence.ts';

/** What is to be routed: what, where, when (epoch ms of the act). */
export interface Happening {
  matter: string | null;
  place: LonLat;
  at: number;
}

/** An entry that applies, and the area through which it does. */
export interface Match {
  assignment: Assignment;
  area: Area;
}

/** The decision without its sentence; `matches` are the entries that decided, or that could not be told apart. */
export interface Decision {
  reason: Route['reason'];
  unit: string | null;
  coUnits: string[];
  matches: Match[];
}

/**
 * Matter × place × time → responsible unit. An empowerment in force on the day of the act goes before the default; what
 * no entry or several units answer for goes to a person, with the candidates. Pure; built once per catalog.
 */
export class Router {
  readonly #catalog: Catalog;
  readonly #areas: AreaIndex;
  /** Key: matter, then area id. */
  readonly #entries: Map<string, Map<string, Assignment[]>>;
  readonly #utcOffsetMinutes: number;

  constructor(catalog: Catalog, utcOffsetMinutes: number) {
    this.#catalog = catalog;
    this.#areas = new AreaIndex(catalog.areas);
    this.#utcOffsetMinutes = utcOffsetMinutes;
    this.#entries = new Map(
      [...groupBy(catalog.assignments, (a) => a.matter)].map(([matter, of]) => [
        matter,
        groupBy(of, (a) => a.area),
      ]),
    );
  }

  decide({ matter, place, at }: Happening): Decision {
    if (matter === null || !this.#catalog.matters.has(matter)) return nobody('no-matter');
    const matches = this.#matches(matter, place, localDate(at, this.#utcOffsetMinutes));
    const empowered = matches.filter((m) => m.assignment.basis === 'empowerment');
    const deciding = empowered.length > 0 ? empowered : matches;
    const first = deciding[0]?.assignment;
    if (first === undefined) return nobody('no-match');
    if (deciding.some((m) => m.assignment.unit !== first.unit)) {
      return { reason: 'several-match', unit: null, coUnits: [], matches: deciding };
    }
    const coUnits = new Set(deciding.flatMap((m) => m.assignment.coUnits));
    coUnits.delete(first.unit);
    return { reason: first.basis, unit: first.unit, coUnits: [...coUnits], matches: deciding };
  }

  route(happening: Happening): Route {
    const decision = this.decide(happening);
    const candidates = [...new Set(decision.matches.map((m) => m.assignment.unit))];
    return {
      unit: decision.unit,
      coUnits: decision.coUnits,
      reason: decision.reason,
      candidates,
      text: routeText(this.#catalog, happening, decision, localDate(happening.at, this.#utcOffsetMinutes)),
    };
  }

  /** The smallest jurisdiction that a place lies in (the longest region code); null = in none. */
  areaOf(place: LonLat): Area | null {
    let smallest: Area | null = null;
    for (const area of this.#areas.at(place)) {
      if (area.properties.region.length > (smallest?.properties.region.length ?? -1)) smallest = area;
    }
    return smallest;
  }

  #matches(matter: string, place: LonLat, date: string): Match[] {
    const byArea = this.#entries.get(matter);
    if (byArea === undefined) return [];
    const found: Match[] = [];
    for (const area of this.#areas.at(place)) {
      for (const assignment of byArea.get(area.properties.id) ?? []) {
        if (inForce(assignment.valid, date)) found.push({ assignment, area });
      }
    }
    return found;
  }
}

function nobody(reason: 'no-match' | 'no-matter'): Decision {
  return { reason, unit: null, coUnits: [], matches: [] };
}
