import { describe } from '@jest/globals';
import { logContract } from '../../contracts/log.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('the log on DynamoDB Local', () => logContract(localEngine));
