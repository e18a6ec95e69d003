// The contract of checkpoints on the memory engine.

import { describe } from '@jest/globals';
import { checkpointsContract } from '../../contracts/checkpoints.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('checkpoints on the memory engine', () => checkpointsContract(memoryEngine));
