// The inputs of docs/operations/recover.md are what the recovery accepts, and its tables name what there is.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ACTIONS, checkRecoveryRequest } from '../../../lib/recovery/recover/input.ts';
import { synthesizedDefinition } from '../../support/recovery-definition.ts';

const page = readFileSync(new URL('../../../docs/operations/recover.md', import.meta.url), 'utf8');
const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as object);

describe('the page about recoveries', () => {
  it('has inputs that are accepted, one for every action', () => {
    const actions = inputs.flatMap((input) => checkRecoveryRequest(input).actions);
    expect([...new Set(actions)].sort()).toEqual([...ACTIONS].sort());
  });

  it('names every end of the state machine, and every state that it tells of exists', () => {
    const { States } = synthesizedDefinition();
    const ends = Object.entries(States).filter(([, { Type }]) => Type === 'Fail' || Type === 'Succeed');
    expect(ends.map(([name]) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const named = ['Validate', 'Diagnose', 'ChooseNext', 'AskApproval', 'VerifyConsistency', 'ReportStatus'];
    expect(named.filter((name) => !page.includes(`\`${name}\``) || !Object.hasOwn(States, name))).toEqual([]);
  });
});
