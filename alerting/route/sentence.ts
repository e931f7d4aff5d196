import type { Catalog } from '../../backbone/catalog.ts';
import type { BiText, Route } from '../../contracts/index.ts';
import type { Decision, Happening } from './router.ts';

/** The routing decision as one sentence that an officer can check against the published lists. */
export function routeText(catalog: Catalog, happening: Happening, decision: Decision, date: string): BiText {
  const words = wordsOf(catalog, happening, decision, date);
  return SENTENCES[decision.reason](words);
}

interface Words {
  date: string;
  place: string;
  matter: BiText;
  area: BiText;
  unit: BiText;
  units: BiText;
  source: string;
  since: string;
}

const SENTENCES: Record<Route['reason'], (w: Words) => BiText> = {
  empowerment: (w) => ({
    zh: `“${w.matter.zh}”发生在${w.area.zh}（${w.place}），依据${w.source}，该事项自${w.since}起在此赋权由${w.unit.zh}行使，赋权优先于部门职责，故由${w.unit.zh}负责。`,
    en: `"${w.matter.en}" occurred in ${w.area.en} (${w.place}); by ${w.source} this matter is empowered there to ${w.unit.en} since ${w.since}, and an empowerment goes before the department's own competence: ${w.unit.en} is responsible.`,
  }),
  default: (w) => ({
    zh: `“${w.matter.zh}”发生在${w.area.zh}（${w.place}），${w.date}当日该处没有生效的赋权，依据${w.source}由${w.unit.zh}负责。`,
    en: `"${w.matter.en}" occurred in ${w.area.en} (${w.place}); no empowerment was in force there on ${w.date}, so by ${w.source} ${w.unit.en} is responsible.`,
  }),
  'no-match': (w) => ({
    zh: `${w.date}没有任何单位的职责清单覆盖“${w.matter.zh}”在该处（${w.place}）的情形，须由人工指定单位。`,
    en: `On ${w.date} no entry of the lists covers "${w.matter.en}" at this place (${w.place}): a person has to name the unit.`,
  }),
  'several-match': (w) => ({
    zh: `${w.date}“${w.matter.zh}”在该处（${w.place}）同时对应${w.units.zh}，清单不能区分，须由人工指定单位。`,
    en: `On ${w.date} "${w.matter.en}" at this place (${w.place}) is assigned to ${w.units.en} alike: a person has to name the unit.`,
  }),
  'no-matter': (w) => ({
    zh: `“${w.matter.zh}”不在执法事项目录中，须由人工确定事项和单位。`,
    en: `"${w.matter.en}" is not in the catalog of matters: a person has to determine matter and unit.`,
  }),
};

function wordsOf(
  catalog: Catalog,
  { matter, place }: Happening,
  { matches, unit }: Decision,
  date: string,
): Words {
  const [first] = matches;
  const nameOf = (id: string): BiText => catalog.units.get(id)?.name ?? { zh: id, en: id };
  const names = [...new Set(matches.map((m) => m.assignment.unit))].map(nameOf);
  const unnamed = matter ?? '-';
  return {
    date,
    place: `${place[0].toFixed(5)}, ${place[1].toFixed(5)}`,
    matter: catalog.matters.get(unnamed)?.name ?? { zh: unnamed, en: unnamed },
    area: first?.area.properties.name ?? { zh: '', en: '' },
    unit: nameOf(unit ?? ''),
    units: { zh: names.map((n) => n.zh).join('、'), en: names.map((n) => n.en).join(' and ') },
    source: first?.assignment.source ?? '',
    since: first?.assignment.valid.from ?? '',
  };
}
