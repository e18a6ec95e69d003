import { describe } from '@jest/globals';
import { relayContract } from '../../contracts/relay.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('the relay on the memory engine', () => relayContract(memoryEngine));
