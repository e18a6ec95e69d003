import { describe } from '@jest/globals';
import { incidentsContract } from '../../contracts/incidents.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('incidents on the memory engine', () => incidentsContract(memoryEngine));
