// All commands of the operator's program, in the order of its help.

import type { RegisterCommand } from '../command.ts';
import { registerArchive } from './archive.ts';
import { registerDeadLetters } from './dead-letters.ts';
import { registerGaps } from './gaps.ts';
import { registerLocal } from './local.ts';
import { registerRecover } from './recover.ts';
import { registerReplay } from './replay.ts';
import { registerRestore } from './restore.ts';
import { registerScrub } from './scrub.ts';
import { registerVerify } from './verify.ts';

export const commands: readonly RegisterCommand[] = [
  registerGaps,
  registerDeadLetters,
  registerRecover,
  registerScrub,
  registerRestore,
  registerArchive,
  registerVerify,
  registerReplay,
  registerLocal,
];
