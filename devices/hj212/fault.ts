/** Why a data segment cannot be used. */
export type SegmentError = 'encoding' | 'no-cp' | 'field' | 'flag' | 'packet' | 'data-time';

export class SegmentFault extends Error {
  readonly code: SegmentError;
  /** Byte position in the data segment. */
  readonly at: number;

  constructor(code: SegmentError, message: string, at: number) {
    super(message);
    this.code = code;
    this.at = at;
  }
}
