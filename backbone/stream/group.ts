import type { PartitionConsumer } from './consumer.ts';

/**
 * The members of one consumer group on one topic in this process, and who has which partition: member i has the
 * partitions p with p mod members = i. A partition changes hands only when its batch is done.
 */

export interface Member {
  /** Begins to consume a partition. */
  open(partition: number): PartitionConsumer;
  /** Told once when one of its consumers cannot go on. */
  fail(error: unknown): void;
}

export class ConsumerGroup {
  readonly #partitions: number;
  #members: Member[] = [];
  /** partition → who consumes it now. */
  readonly #owned = new Map<number, { member: Member; consumer: PartitionConsumer }>();
  /** Changes of membership happen one after the other. */
  #changes: Promise<void> = Promise.resolve();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  join(member: Member): Promise<void> {
    this.#members = [...this.#members, member];
    return this.#rebalance();
  }

  leave(member: Member): Promise<void> {
    this.#members = this.#members.filter((other) => other !== member);
    return this.#rebalance();
  }

  #rebalance(): Promise<void> {
    this.#changes = this.#changes.then(() => this.#settle());
    return this.#changes;
  }

  async #settle(): Promise<void> {
    const moving = [...this.#owned].filter(([partition, { member }]) => this.#ownerOf(partition) !== member);
    await Promise.all(moving.map(([, { consumer }]) => consumer.stop()));
    for (const [partition] of moving) this.#owned.delete(partition);
    for (let partition = 0; partition < this.#partitions; partition++) this.#fill(partition);
  }

  #fill(partition: number): void {
    const member = this.#ownerOf(partition);
    if (member === undefined || this.#owned.has(partition)) return;
    const consumer = member.open(partition);
    consumer.ended.catch((error) => member.fail(error));
    this.#owned.set(partition, { member, consumer });
  }

  #ownerOf(partition: number): Member | undefined {
    return this.#members[partition % this.#members.length];
  }
}
