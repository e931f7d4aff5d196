import type { Catalog } from '../../backbone/catalog.ts';
import type { LegalBasis, Matter } from '../../contracts/index.ts';
import { inForce } from '../store/local-time.ts';

/**
 * The legal bases of a matter that were in force on the day of the act (行政处罚法 第三十七条). A basis that was not
 * leads to its successor, and on, until one holds. Empty: the catalog knows none for that day.
 */
export function basesInForce(catalog: Catalog, matter: Matter, date: string): LegalBasis[] {
  const found = new Map<string, LegalBasis>();
  for (const id of matter.bases) {
    const basis = holding(catalog, id, date);
    if (basis !== null) found.set(basis.id, basis);
  }
  return [...found.values()];
}

function holding(catalog: Catalog, id: string, date: string): LegalBasis | null {
  const seen = new Set<string>();
  for (let next: string | null = id; next !== null && !seen.has(next); ) {
    seen.add(next);
    const basis: LegalBasis | undefined = catalog.bases.get(next);
    if (basis === undefined) return null;
    if (inForce(basis.valid, date)) return basis;
    next = basis.successor;
  }
  return null;
}
