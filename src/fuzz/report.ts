/** Reports for machines that read test results. */

/** A finding as reports name it. */
export interface ReportedFinding {
  readonly name: string;
  readonly oracle: string;
  readonly reason: string;
  /** A line for a shell that shows it again. */
  readonly command: string;
}

/** JUnit XML: one test case a finding, and one that stands for all that passed. */
export function reportJunit(findings: readonly ReportedFinding[], cases: number): string {
  const failed = findings.map(
    ({ name, oracle, reason, command }) =>
      `  <testcase classname="papyrus.fuzz" name="${escaped(name)}">\n` +
      `    <failure type="${escaped(oracle)}" message="${escaped(reason)}">${escaped(command)}</failure>\n  </testcase>\n`,
  );
  const passed = `  <testcase classname="papyrus.fuzz" name="${cases} cases"/>\n`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<testsuite name="papyrus fuzz" tests="${findings.length + 1}" failures="${findings.length}">\n${passed}${failed.join('')}</testsuite>\n`
  );
}

/** SARIF 2.1.0: one result a finding. */
export function reportSarif(findings: readonly ReportedFinding[]): string {
  const rules = [...new Set(findings.map(({ oracle }) => oracle))].toSorted();
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'papyrus', rules: rules.map((id) => ({ id })) } },
        results: findings.map(({ name, oracle, reason, command }) => ({
          ruleId: oracle,
          level: 'error',
          message: { text: `${reason}; ${command}` },
          locations: [{ physicalLocation: { artifactLocation: { uri: name } } }],
        })),
      },
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
