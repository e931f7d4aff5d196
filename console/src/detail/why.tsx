/** Why did this fire: rule, version, clause, what was measured against what, from how many values, with which parameters. */
import type { Finding, FindingKind, Measure } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { interval, number, percent, quantity, span, unitSign } from '../text/format.ts';
import { Facts, Panel } from '../ui/parts.tsx';

export function WhyPanel({
  findings,
  matterName,
}: {
  findings: readonly Finding[];
  matterName: (id: string) => string;
}) {
  const { t } = useTexts();
  return (
    <Panel
      title={t('why.title')}
      class="why"
      aside={findings.length > 1 && <span class="dim">{t('alert.findings', { n: findings.length })}</span>}
    >
      {findings.length === 0 && <p class="dim">{t('why.none')}</p>}
      {findings.map((finding, i) => (
        <Why key={finding.id} finding={finding} matterName={matterName} first={i === 0} />
      ))}
    </Panel>
  );
}

function Why({
  finding,
  matterName,
  first,
}: {
  finding: Finding;
  matterName: (id: string) => string;
  first: boolean;
}) {
  const { t, bi } = useTexts();
  const { measure, detector, input } = finding;
  const parameters = Object.entries(detector.parameters);
  return (
    <article class="finding">
      {!first && <p class="finding-summary">{bi(finding.summary)}</p>}
      <Meter measure={measure} kind={finding.kind} />
      <Facts
        rows={[
          [t('why.matter'), finding.matter === undefined ? null : matterName(finding.matter)],
          [t('why.clause'), finding.clause],
          [t('why.reason'), <code key="r">{finding.reason}</code>],
          [
            t('why.valid'),
            measure.validCount === undefined
              ? null
              : measure.expectedCount === undefined
                ? measure.validCount
                : t('why.valid.of', { valid: measure.validCount, expected: measure.expectedCount }),
          ],
          [
            t('why.detector'),
            <code key="d">
              {detector.name} {detector.version}
            </code>,
          ],
        ]}
      />
      <Facts
        rows={[
          [
            t('why.input'),
            <>
              {interval(input.from, input.to)}
              {input.datastreams.length > 0 && <code class="after">{input.datastreams.join(', ')}</code>}
              {input.frames.length > 0 && ` · ${t('why.frames', { n: input.frames.length })}`}
            </>,
          ],
          [
            t('why.finding'),
            <code key="f" class="break">
              {finding.id} r{finding.revision}
            </code>,
          ],
        ]}
      />
      {parameters.length > 0 && (
        <details class="parameters">
          <summary>
            {t('why.parameters')} <span class="dim">{parameters.length}</span>
          </summary>
          <dl>
            {parameters.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </article>
  );
}

/** The measured value beside what it is held against. */
function Meter({ measure, kind }: { measure: Measure; kind: FindingKind }) {
  const texts = useTexts();
  const { t, word } = texts;
  // Seconds are said as people say them.
  const measured = (n: number): string =>
    measure.unit === 's' ? span(n * 1000, texts) : quantity(n, measure.unit);
  const { limit, value } = measure;
  const share = limit === undefined || limit <= 0 || value < 0 ? null : value / limit;
  // The limit stands at two thirds of the bar, so that half as much again still fits.
  const filled = share === null ? 0 : Math.min(1, (share * 2) / 3);
  // A share of a level in decibels means nothing: levels differ by so and so many decibels.
  const excess = limit !== undefined && measure.unit.startsWith('dB');
  return (
    <div class="meter">
      <div class="meter-words">
        <span class="dim">{word('statistic', measure.statistic)}</span>
        <b class={share !== null && share > 1 ? 'over' : ''}>{measured(value)}</b>
        {limit !== undefined && (
          <span>
            {t(kind === 'limit-exceeded' ? 'chart.limit' : 'chart.threshold', { value: measured(limit) })}
          </span>
        )}
        {excess && limit !== undefined && value > limit && (
          <span class="over">{`+${number(value - limit)} ${unitSign(measure.unit)}`}</span>
        )}
        {!excess && share !== null && (
          <span class={share > 1 ? 'over' : 'dim'}>
            {share > 1
              ? t('why.over', { percent: percent(share - 1) })
              : t('why.under', { percent: percent(share) })}
          </span>
        )}
      </div>
      {share !== null && (
        <svg class="meter-bar" viewBox="0 0 300 8" preserveAspectRatio="none" aria-hidden="true">
          <rect class="ground" width="300" height="8" rx="2" />
          <rect class={share > 1 ? 'fill over' : 'fill'} width={filled * 300} height="8" rx="2" />
          <rect class="mark" x="199" width="2" height="8" />
        </svg>
      )}
    </div>
  );
}
