// Colors for people at a terminal only: what goes into a file or a pipe, as in CI, is text without control characters.

import picocolors from 'picocolors';

/** `NO_COLOR` and `--no-color` are honored. */
export const colors = picocolors.createColors(process.stdout.isTTY === true && picocolors.isColorSupported);
