import { InvalidArgumentError } from 'commander';

/** A parser for a number option: what is no number, or out of bounds, is refused with what is allowed. */
export function numberOption(
  name: string,
  min: number,
  max: number,
  whole = false,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value)))
      return value;
    throw new InvalidArgumentError(`${name} takes a ${whole ? 'whole ' : ''}number from ${min} to ${max}.`);
  };
}
