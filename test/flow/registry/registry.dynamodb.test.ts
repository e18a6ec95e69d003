// The registry's contract on DynamoDB Local.

import { describe } from '@jest/globals';
import { registryContract } from '../../contracts/registry.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('registry on DynamoDB Local', () => registryContract(localEngine));
