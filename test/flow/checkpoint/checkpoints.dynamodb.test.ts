// The contract of checkpoints on DynamoDB Local.

import { describe } from '@jest/globals';
import { checkpointsContract } from '../../contracts/checkpoints.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('checkpoints on DynamoDB Local', () => checkpointsContract(localEngine));
