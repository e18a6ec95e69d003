// The simulated queue gives the same answers as an SQS server (fauxqs). Times are virtual on one side and waited for on the other.

import { afterAll } from '@jest/globals';
import { startFauxqs } from '../fauxqs.ts';
import { playOn } from '../scenario.ts';
import { fauxqsQueue } from './fauxqs.ts';
import { QUEUES } from './scenarios.ts';
import { simulatedQueue } from './simulated.ts';

const fauxqs = await startFauxqs();
afterAll(() => fauxqs.close());

playOn('queues', { simulated: simulatedQueue, fauxqs: (settings) => fauxqsQueue(fauxqs, settings) }, QUEUES);
