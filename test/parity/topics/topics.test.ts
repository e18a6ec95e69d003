// A topic in memory, as tests of alerts use it, takes and refuses what fauxqs does.

import { afterAll } from '@jest/globals';
import { startFauxqs } from '../fauxqs.ts';
import { playOn } from '../scenario.ts';
import { fauxqsTopic, memoryTopic } from './engines.ts';
import { TOPICS } from './scenarios.ts';

const fauxqs = await startFauxqs();
afterAll(() => fauxqs.close());

playOn('a topic', { 'in memory': memoryTopic, fauxqs: () => fauxqsTopic(fauxqs) }, TOPICS);
