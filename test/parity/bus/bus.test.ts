// The simulated bus answers PutEvents as the local system's does behind its gateway, and hands out the same events.

import { playOn } from '../scenario.ts';
import { localBus } from './local.ts';
import { BUS } from './scenarios.ts';
import { simulatedBus } from './simulated.ts';

playOn('the bus', { simulated: simulatedBus, local: localBus }, BUS);
