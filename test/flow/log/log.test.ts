import { describe } from '@jest/globals';
import { logContract } from '../../contracts/log.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('the log on the memory engine', () => logContract(memoryEngine));
