// The contract of markers on DynamoDB Local.

import { describe } from '@jest/globals';
import { markersContract } from '../../contracts/markers.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('markers on DynamoDB Local', () => markersContract(localEngine));
