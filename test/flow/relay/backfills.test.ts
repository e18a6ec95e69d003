import { describe } from '@jest/globals';
import { backfillsContract } from '../../contracts/backfills.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('marks of backfills on the memory engine', () => backfillsContract(memoryEngine));
