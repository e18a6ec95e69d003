// The contract of redrives on the memory engine.

import { describe } from '@jest/globals';
import { redriveContract } from '../../contracts/redrive.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('redrive on the memory engine', () => redriveContract(memoryEngine));
