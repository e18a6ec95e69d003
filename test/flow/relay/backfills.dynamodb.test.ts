import { describe } from '@jest/globals';
import { backfillsContract } from '../../contracts/backfills.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('marks of backfills on DynamoDB Local', () => backfillsContract(localEngine));
