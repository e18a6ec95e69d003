import { describe } from '@jest/globals';
import { relayContract } from '../../contracts/relay.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('the relay on DynamoDB Local', () => relayContract(localEngine));
