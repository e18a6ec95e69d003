import { describe } from '@jest/globals';
import { incidentsContract } from '../../contracts/incidents.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('incidents on DynamoDB Local', () => incidentsContract(localEngine));
