// The contract of markers on the memory engine.

import { describe } from '@jest/globals';
import { markersContract } from '../../contracts/markers.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('markers on the memory engine', () => markersContract(memoryEngine));
