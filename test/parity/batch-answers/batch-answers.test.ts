// The simulated event source mapping of a queue does with every answer what the local system's does over fauxqs.

import { afterAll } from '@jest/globals';
import { startFauxqs } from '../fauxqs.ts';
import { playOn } from '../scenario.ts';
import { localMapping } from './local.ts';
import { BATCH_ANSWERS } from './scenarios.ts';
import { simulatedMapping } from './simulated.ts';

const fauxqs = await startFauxqs();
afterAll(() => fauxqs.close());

playOn(
  'a batch of messages is answered with',
  { simulated: simulatedMapping, local: (settings) => localMapping(fauxqs, settings) },
  BATCH_ANSWERS,
);
