import type { DraftCase } from '../../contracts/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { Db, Tx } from '../store/tables.ts';
import { collectEvidence, type Evidence, type EvidenceSources } from './collect.ts';
import { mediaTypeOf } from './media-type.ts';

/**
 * The evidence of draft cases.
 *
 * It is gathered anew at each view while the draft is undecided, and frozen with the confirmation. Not when the draft is
 * made: at that moment the series store may lag behind the finding, the happening mostly lasts, and the readings after
 * it, which belong to the context, are still to come. What the reviewer confirms is what is frozen, hash by hash.
 */
export class EvidenceArchive {
  readonly #db: Db;
  readonly #sources: EvidenceSources;
  /** Media types of items gathered in this process, by hash; bounded. */
  readonly #seen = new Map<string, string>();

  constructor(db: Db, sources: EvidenceSources) {
    this.#db = db;
    this.#sources = sources;
  }

  /** As frozen, else as it stands now. */
  async of(draft: DraftCase): Promise<Evidence & { frozen: boolean }> {
    const row = await this.#db
      .selectFrom('alerting_evidence')
      .select('body')
      .where('draft', '=', draft.id)
      .executeTakeFirst();
    if (row !== undefined) return { ...(JSON.parse(row.body) as Evidence), frozen: true };
    return { ...(await this.gather(draft)), frozen: false };
  }

  async gather(draft: DraftCase): Promise<Evidence> {
    const evidence = await collectEvidence(draft, this.#sources);
    for (const item of evidence.items) this.#remember(item.sha256, item.mediaType);
    return evidence;
  }

  /** In the transaction of the confirmation. */
  async freeze(tx: Tx, draft: string, evidence: Evidence): Promise<void> {
    await tx
      .insertInto('alerting_evidence')
      .values({ draft, body: JSON.stringify(evidence) })
      .execute();
  }

  /** The bytes under a hash. Pictures of findings are served this way too, before any draft exists. */
  async read(sha256: string): Promise<{ bytes: Buffer; mediaType: string }> {
    const bytes = await this.#sources.blobs.get(sha256);
    if (bytes === null) throw new QianliyanError('NOT_FOUND', `no evidence ${sha256}`);
    const seen = this.#seen.get(sha256) ?? (await this.#frozenType(sha256));
    return { bytes, mediaType: seen ?? mediaTypeOf(bytes) };
  }

  async #frozenType(sha256: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('alerting_evidence')
      .select('body')
      .where('body', 'like', `%${sha256}%`)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { items } = JSON.parse(row.body) as Evidence;
    for (const item of items) this.#remember(item.sha256, item.mediaType);
    return this.#seen.get(sha256);
  }

  #remember(sha256: string, mediaType: string): void {
    if (this.#seen.size >= 10_000) this.#seen.clear();
    this.#seen.set(sha256, mediaType);
  }
}
