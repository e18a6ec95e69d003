// The contract of redrives on DynamoDB Local.

import { describe } from '@jest/globals';
import { redriveContract } from '../../contracts/redrive.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('redrive on DynamoDB Local', () => redriveContract(localEngine));
