#!/usr/bin/env node
// The operator's door: parses the command line, runs one command, exits with its code.

import { commands } from '../lib/cli/commands/index.ts';
import { runProgram } from '../lib/cli/program.ts';

process.exitCode = await runProgram(process.argv.slice(2), { commands });
