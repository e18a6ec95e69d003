// The simulated event source mapping of a DynamoDB stream delivers, repeats and gives up what the local system's does over
// DynamoDB Local.

import { playOn } from '../scenario.ts';
import { localStream } from './local.ts';
import { STREAMS } from './scenarios.ts';
import { simulatedStream } from './simulated.ts';

/** Each has a database of DynamoDB Local to itself, and a database costs threads until the process ends. */
const AT_ONCE = 4;

playOn('records of a stream', { simulated: simulatedStream, local: localStream }, STREAMS, AT_ONCE);
