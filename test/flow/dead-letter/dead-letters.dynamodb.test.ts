// The contract of dead letters on DynamoDB Local.

import { describe } from '@jest/globals';
import { deadLettersContract } from '../../contracts/dead-letters.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('dead letters on DynamoDB Local', () => deadLettersContract(localEngine));
