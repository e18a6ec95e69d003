// The registry's contract on the memory engine.

import { describe } from '@jest/globals';
import { registryContract } from '../../contracts/registry.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('registry on the memory engine', () => registryContract(memoryEngine));
