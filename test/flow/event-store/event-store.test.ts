import { describe } from '@jest/globals';
import { eventStoreContract } from '../../contracts/event-store.contract.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('the event store on the memory engine', () => eventStoreContract(memoryEngine));
