// The contract of dead letters on the memory engine.

import { describe } from '@jest/globals';
import { deadLettersContract } from '../../contracts/dead-letters.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('dead letters on the memory engine', () => deadLettersContract(memoryEngine));
