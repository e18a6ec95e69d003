// The contract of snapshots on the memory engine.

import { describe } from '@jest/globals';
import { snapshotsContract } from '../../contracts/snapshots.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('snapshots in memory', () => snapshotsContract(memoryEngine));
