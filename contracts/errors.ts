/**
 * The one register of error codes. A code is a promise to users, logs and tests: its meaning never changes.
 * `status` is the HTTP status where the error reaches the API; `exit` the exit code where it ends a command.
 */
export const ERRORS = {
  CONFIG_INVALID: { status: 400, exit: 2, message: 'the configuration is not valid' },
  CATALOG_INVALID: { status: 400, exit: 2, message: 'the catalog is not valid' },
  PORT_IN_USE: { status: 500, exit: 2, message: 'a port is in use' },
  DATA_FOLDER_LOCKED: { status: 500, exit: 2, message: 'the data folder is in use by another process' },
  USAGE: { status: 400, exit: 2, message: 'wrong use of a command' },
  MODEL_INVALID: { status: 400, exit: 2, message: 'the model folder is not valid' },
  STORE_UNAVAILABLE: { status: 503, exit: 1, message: 'a store does not answer' },
  STORE_FULL: {
    status: 507,
    exit: 1,
    message: 'the disk is nearly full: nothing is acknowledged until there is room',
  },
  REQUEST_INVALID: { status: 400, exit: 1, message: 'the request is not valid' },
  NOT_SIGNED_IN: { status: 401, exit: 1, message: 'sign in first' },
  FORBIDDEN: { status: 403, exit: 1, message: 'your role does not allow this' },
  NOT_FOUND: { status: 404, exit: 1, message: 'there is no such thing' },
  ILLEGAL_TRANSITION: { status: 409, exit: 1, message: 'this step is not allowed in the present state' },
  CONFLICT: { status: 409, exit: 1, message: 'it has changed meanwhile' },
  TOO_MANY_REQUESTS: { status: 429, exit: 1, message: 'too many requests' },
  INTERNAL: { status: 500, exit: 1, message: 'an unexpected fault' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that is wrong with an input: where, what was found, what is allowed. */
export interface Problem {
  /** Dotted path into the input, e.g. `mqtt.port`. */
  path: string;
  found: unknown;
  allowed: string;
}

/** The only error that the product throws on purpose. */
export class QianliyanError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    detail: string,
    options: { problems?: readonly Problem[]; cause?: unknown } = {},
  ) {
    super(
      `${ERRORS[code].message}: ${detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'QianliyanError';
    this.code = code;
    this.problems = options.problems ?? [];
  }
}
