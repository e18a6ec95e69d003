// The contract of snapshots on DynamoDB Local.

import { describe } from '@jest/globals';
import { snapshotsContract } from '../../contracts/snapshots.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('snapshots on DynamoDB Local', () => snapshotsContract(localEngine));
