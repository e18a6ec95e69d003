// Every alarm names a heading of the runbook, and every heading is complete: whoever is woken up by it is told what to do.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resourcesOf, synthApp } from './synth.ts';

const { templates } = synthApp({ recovery: { drill: true } });
const alarms = Object.values(templates).flatMap((template) => resourcesOf(template, 'AWS::CloudWatch::Alarm'));
const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbooks/README.md'), 'utf8');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] as string, section]),
);
const anchorOf = (description: unknown) =>
  /Runbook: docs\/runbooks\/README\.md#([a-z-]+)$/.exec(String(description))?.[1];

describe('alarms', () => {
  it('name a heading of the runbook that exists', () => {
    const lost = alarms.filter(([, { Properties }]) => !sections.has(anchorOf(Properties.AlarmDescription) ?? ''));
    expect(lost.map(([id]) => id)).toEqual([]);
    expect(alarms.length).toBeGreaterThanOrEqual(14);
  });

  it('tell somebody, also when it is over, and stay quiet when there is nothing to measure, unless silence is wrong', () => {
    const watchesSilence = (properties: Record<string, unknown>) =>
      properties.ComparisonOperator === 'LessThanThreshold';
    const silent = alarms.filter(([, { Properties }]) => watchesSilence(Properties));
    expect(silent.map(([, { Properties }]) => anchorOf(Properties.AlarmDescription)).sort()).toEqual([
      'archive-stalled',
      'drill-silent',
      'gap-scan-silent',
      'scrub-silent',
    ]);
    for (const [id, { Properties }] of alarms) {
      const missing = watchesSilence(Properties) ? 'breaching' : 'notBreaching';
      expect({ id, ...Properties }).toMatchObject({ TreatMissingData: missing });
      expect(Properties.AlarmActions).toHaveLength(1);
      expect(Properties.OKActions).toHaveLength(1);
    }
  });
});

describe('the runbook', () => {
  it('tells symptom, impact, diagnosis, repair and verification under every heading', () => {
    const incomplete = [...sections].filter(([, text]) =>
      ['Symptom', 'Impact', 'Diagnosis', 'Repair', 'Verify'].some((word) => !text.includes(`**${word}.**`)),
    );
    expect(incomplete.map(([heading]) => heading)).toEqual([]);
  });

  it('has no heading without an alarm', () => {
    const used = new Set(alarms.map(([, { Properties }]) => anchorOf(Properties.AlarmDescription)));
    expect([...sections.keys()].filter((heading) => !used.has(heading))).toEqual([]);
  });
});
