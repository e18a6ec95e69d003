// All commands of the operator's program, in the order of its help.

import type { RegisterCommand } from '../command.ts';

export const commands: readonly RegisterCommand[] = [];
