// The README is true: its commands exist with the options that it names, its links lead somewhere, its drill output looks like
// the drill's, and its figures are those of the templates and of the benchmarks.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { measureConsumerCost } from '../../lib/cli/bench/consumer-cost.ts';
import { measureCost } from '../../lib/cli/bench/relay-cost.ts';
import { drillTable } from '../../lib/cli/drill-table.ts';
import { resourcesOf, synthApp } from '../infra/synth.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

const markdownFiles = ['.', 'docs', 'examples', 'lib'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: folder !== '.', withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
);

/** As GitHub makes them: lower case, punctuation left out, spaces as dashes. */
const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );

describe('links', () => {
  it.each(markdownFiles)('of %s lead to a file, and to a heading in it', (file) => {
    const text = read(file).replaceAll(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link]) => link as string);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe('commands of the README', () => {
  const named = [...readme.matchAll(/npm (?:run )?([a-z-]+)(?: -- ([^`\n]*)| \[-- ([^\]\n]*)\])?/g)].map(
    ([, script = '', options, optional]) => ({ script, options: (options ?? optional ?? '').match(/--[a-z]+/g) ?? [] }),
  );

  it('are scripts of the package', () => {
    const own = ['ci', 'install', 'pack', 'publish', 'init'];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ script }) => !own.includes(script) && scripts[script] === undefined)).toEqual([]);
  });

  it.each(['drill', 'bench', 'simulate'])('npm run %s has the options that it is named with', async (script) => {
    const file = scripts[script]?.replace('node ', '') as string;
    const help = await new Promise<string>((resolve) => {
      execFile(process.execPath, [file, '--help'], { cwd: root }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    const options = named.filter((one) => one.script === script).flatMap((one) => one.options);
    expect(options).not.toEqual([]);
    expect(options.filter((option) => !new RegExp(`${option}\\b`).test(help))).toEqual([]);
  });
});

describe("the drill's output in the README", () => {
  const shown = /<!-- drill:begin -->\n```text\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

  it('has the columns of the drill, and lost and doubled nothing', () => {
    const scenario = { name: 'x', appended: 1, streams: 1, seconds: 1, seed: 1, ok: true, lost: 0, doubled: 0 };
    const lists = { consumers: [], kills: [], recoveries: [], problems: [] };
    const printed = drillTable({ ok: true, scenarios: [{ ...scenario, ...lists } as never] });
    const header = stripVTControlCharacters(printed).split('\n')[2]?.trim().split(/\s+/);
    const headers = shown.split('\n').filter((line) => line.startsWith('consumer '));
    expect(headers.length).toBeGreaterThan(0);
    for (const line of headers) expect(line.trim().split(/\s+/)).toEqual(header);
    const verdicts = shown.split('\n').filter((line) => /^(ok|FAILED):/.test(line));
    expect(verdicts).toHaveLength(headers.length);
    for (const line of verdicts) expect(line).toMatch(/^ok: 0 lost, 0 doubled, /);
  });
});

describe('what the README says about deployments', () => {
  const { templates } = synthApp();
  const all = Object.values(templates);

  it('lists the stacks', () => {
    const listed = [...readme.matchAll(/^\| `(EventRecovery\w+)` \|/gm)].map(([, name]) => name);
    expect(listed).toEqual(['EventRecoveryData', 'EventRecoveryFlow', 'EventRecoveryRecovery', 'EventRecoveryExample']);
  });

  it('names what it costs to stand idle, within two dollars', () => {
    const found = (type: string) =>
      all.flatMap((template) => resourcesOf(template, type)).map(([, { Properties }]) => Properties);
    // An alarm on an expression is billed for each metric in it: CloudWatch pricing, "alarm metrics".
    const alarmMetrics = found('AWS::CloudWatch::Alarm').reduce((sum, { Metrics }) => {
      const metrics = (Metrics as { MetricStat?: unknown }[] | undefined)?.filter(({ MetricStat }) => MetricStat);
      return sum + (metrics?.length ?? 1);
    }, 0);
    const queues = found('AWS::Lambda::EventSourceMapping').filter(
      ({ StartingPosition }) => StartingPosition === undefined,
    );
    // Five pollers with receives of 20 s each: Lambda, "Using Lambda with Amazon SQS". A month has 43,200 minutes.
    const receivesInMillions = (queues.length * 5 * 3 * 43_200) / 1e6;
    const [, customMetrics] = /custom metrics of [a-z, ]+ (\d+\.\d\d)/.exec(readme) ?? [];
    const dollars = alarmMetrics * 0.1 + Math.max(0, receivesInMillions - 1) * 0.4 + Number(customMetrics);
    const [, said] = /\*\*about (\d+)\s+dollars\s+a\s+month\*\*/.exec(readme) ?? [];
    expect(Math.abs(Number(said) - dollars)).toBeLessThan(2);
  });
});

describe('units in the README', () => {
  const rounded = (value: number) => String(Number(value.toFixed(2)));

  it('of the relay are those of the benchmark', async () => {
    const { results } = await measureCost(() => undefined);
    const [full, few, one] = results.filter(({ subject }) => subject === 'ours').map(({ value }) => rounded(value));
    expect(readme).toContain(`| relay: batches of 99 streams ... of 1 | ${full} ... ${one} WCU |`);
    expect(readme).toContain(`100 commits of 5 streams take ${few} WCU each in the relay`);
  });

  it('of consumers are those of the benchmark', async () => {
    const { results } = await measureConsumerCost(() => undefined);
    const of = (name: string) =>
      rounded(results.find(({ metric, subject }) => subject === 'ours' && metric.endsWith(name))?.value ?? 0);
    const units = `${of('transactional, 1 event')}, ${of('idempotent, 1 event')} WCU`;
    expect(readme).toContain(`| consumer: transactional, idempotent | ${units} |`);
  });
});
