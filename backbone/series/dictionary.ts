/** Names that a store knows by numbers. Those that are not stored yet go along with every write until one has succeeded. */
export class Dictionary {
  /** By number. */
  readonly names: string[];
  readonly #numbers: Map<string, number>;
  #stored: number;

  constructor(stored: readonly string[]) {
    this.names = [...stored];
    this.#numbers = new Map(stored.map((name, number) => [name, number]));
    this.#stored = stored.length;
  }

  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  /** Those that are not on disk yet. */
  unstored(): NewNames {
    return { first: this.#stored, names: this.names.slice(this.#stored) };
  }

  /** A write that took these along has succeeded. */
  wereStored({ first, names }: NewNames): void {
    this.#stored = Math.max(this.#stored, first + names.length);
  }
}

/** Names with the numbers `first`, `first` + 1, … */
export interface NewNames {
  first: number;
  names: readonly string[];
}
