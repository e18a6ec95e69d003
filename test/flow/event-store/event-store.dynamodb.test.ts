import { describe } from '@jest/globals';
import { eventStoreContract } from '../../contracts/event-store.contract.ts';
import { localEngine } from '../../support/engines.ts';

describe('the event store on DynamoDB Local', () => eventStoreContract(localEngine));
