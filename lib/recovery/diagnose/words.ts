// Bounds and words that the rules of the diagnosis share.

export const THROTTLES_NOTED = 10;
/** A killed or restarted process is no failing function. */
export const ERRORS_NOTED = 5;

export const isOff = (state: string | undefined): boolean => state === 'Disabled' || state === 'Disabling';
export const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;
