/**
 * The readings around a finding: limit line, the interval found (shaded), the law's own statistic over the raw values, and
 * values that do not count drawn as crosses. Reads out under the cursor or, with the focus on it, by ← and →.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Finding, Limit, RegisteredDevice } from '../../../contracts/index.ts';
import { type ApiError, api } from '../api/client.ts';
import type { Series, SeriesPoint } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { productNow } from '../state/product-clock.ts';
import { useStore } from '../state/store.ts';
import { dayTime, quantity, span, unitSign } from '../text/format.ts';
import { Failure, Loading, Panel, Time } from '../ui/parts.tsx';
import { theme } from '../ui/theme.ts';
import { type ChartData, chartData, chartSpan, limitOf } from './chart-data.ts';
import { columns, options } from './chart-options.ts';

const MAX_POINTS = 5000;

interface ChartProps {
  finding: Finding;
  datastream: string;
  device: RegisteredDevice | null;
  limits: readonly Limit[];
  name: string;
}

/** `dust-01/TSP@minute` → `TSP` */
const propertyOf = (datastream: string): string =>
  datastream.slice(datastream.indexOf('/') + 1).replace(/@.*$/, '');

/** The series around the finding, asked for again as the finding goes on. */
function useSeries(datastream: string, finding: Finding) {
  const [answer, setAnswer] = useState<{ series: Series } | { error: ApiError } | null>(null);
  const [tries, setTries] = useState(0);
  const { from, to } = chartSpan(finding.interval);
  useEffect(() => setAnswer(null), [datastream, finding.id]);
  useEffect(() => {
    let gone = false;
    api
      .series({ datastream, from, to: Math.min(to, Math.round(productNow())), limit: MAX_POINTS })
      .then((series) => !gone && setAnswer({ series }))
      .catch(
        (error: ApiError) =>
          !gone && setAnswer((before) => (before !== null && 'series' in before ? before : { error })),
      );
    return () => {
      gone = true;
    };
  }, [datastream, from, to, tries]);
  return { answer, retry: () => setTries((n) => n + 1) };
}

export function ChartPanel({ finding, datastream, device, limits, name }: ChartProps) {
  const { t } = useTexts();
  const { answer, retry } = useSeries(datastream, finding);
  const property = propertyOf(datastream);
  const stream = device?.datastreams.find((candidate) => candidate.property === property);
  return (
    <Panel
      title={t('chart.title')}
      class="chart-panel"
      aside={<span class="dim">{`${name} · ${property}`}</span>}
    >
      {answer === null && <Loading text={t('chart.loading')} />}
      {answer !== null && 'error' in answer && <Failure error={answer.error} retry={retry} />}
      {answer !== null && 'series' in answer && answer.series.points.length === 0 && (
        <div class="note empty">{t('chart.empty')}</div>
      )}
      {answer !== null && 'series' in answer && answer.series.points.length > 0 && (
        <Chart
          series={answer.series}
          finding={finding}
          limit={limitOf(finding, property, limits)}
          intervalS={stream?.intervalS ?? 60}
          name={`${name} ${property}`}
        />
      )}
    </Panel>
  );
}

interface DrawnProps {
  series: Series;
  finding: Finding;
  limit: Limit | null;
  intervalS: number;
  name: string;
}

function Chart({ series, finding, limit, intervalS, name }: DrawnProps) {
  const { t } = useTexts();
  const shade = useStore(theme);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const data = useMemo(
    () => chartData(series.points, limit?.statistic ?? null, intervalS),
    [series, limit, intervalS],
  );
  // A limit line belongs on the chart only when it is in the readings' own unit.
  const line = finding.measure.unit === series.unit ? finding.measure.limit : undefined;

  useEffect(() => {
    const host = box.current;
    if (host === null) return;
    const chart = new uPlot(options(host, data, finding, line, setAt), columns(data), host);
    plot.current = chart;
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: host.clientWidth, height: host.clientHeight }),
    );
    observer.observe(host);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [data, finding.interval.from, finding.interval.to, line, shade]);

  const step = (by: number): void => {
    const chart = plot.current;
    if (chart === null) return;
    const next = Math.min(data.times.length - 1, Math.max(0, (at ?? (by > 0 ? -1 : data.times.length)) + by));
    chart.setCursor({ left: chart.valToPos(data.times[next] ?? 0, 'x'), top: 10 });
  };
  const first = series.points[0];
  const last = series.points.at(-1);
  const highest = series.points.reduce((max, point) => Math.max(max, point.value), Number.NEGATIVE_INFINITY);
  const label = t('chart.aria', {
    name,
    n: series.points.length,
    from: first === undefined ? '' : dayTime(first.time),
    to: last === undefined ? '' : dayTime(last.time),
    max: quantity(highest, series.unit),
    limit: line === undefined ? t('chart.noLimit') : quantity(line, series.unit),
  });
  return (
    <>
      <Legend limit={limit} data={data} line={line} unit={series.unit} />
      <div
        ref={box}
        class="chart"
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read the values
        tabIndex={0}
        aria-label={label}
        data-testid="chart"
        onKeyDown={(event) => {
          if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
          event.preventDefault();
          step((event.key === 'ArrowRight' ? 1 : -1) * (event.shiftKey ? 10 : 1));
        }}
      />
      <Reading
        point={at === null ? undefined : series.points[at]}
        mean={at === null ? null : (data.statistic[at] ?? null)}
        limit={limit}
        unit={series.unit}
      />
    </>
  );
}

function statisticName(limit: Limit, texts: ReturnType<typeof useTexts>): string {
  if (limit.statistic.type === 'instant') return texts.t('chart.raw');
  const key = limit.statistic.type === 'leq' ? 'chart.leq' : 'chart.mean';
  return texts.t(key, { span: span(limit.statistic.windowS * 1000, texts) });
}

function Legend({
  limit,
  data,
  line,
  unit,
}: {
  limit: Limit | null;
  data: ChartData;
  line: number | undefined;
  unit: string | null;
}) {
  const texts = useTexts();
  const { t } = texts;
  return (
    <ul class="legend">
      <li class="raw">{`${t('chart.raw')} ${unitSign(unit)}`}</li>
      {limit !== null && limit.statistic.type !== 'instant' && (
        <li class="mean" title={t('chart.local')}>
          {statisticName(limit, texts)}
        </li>
      )}
      {line !== undefined && (
        <li class="limit">
          {t(limit === null ? 'chart.threshold' : 'chart.limit', { value: quantity(line, unit) })}
        </li>
      )}
      <li class="interval">{t('chart.interval')}</li>
      {data.notCounted.some((value) => value !== null) && (
        <li class="not-counted">{t('chart.notCounted')}</li>
      )}
    </ul>
  );
}

function Reading({
  point,
  mean,
  limit,
  unit,
}: {
  point: SeriesPoint | undefined;
  mean: number | null;
  limit: Limit | null;
  unit: string | null;
}) {
  const texts = useTexts();
  const { t } = texts;
  if (point === undefined) return <p class="reading dim">{t('chart.hint')}</p>;
  return (
    <p class="reading" aria-live="polite" data-testid="reading">
      <Time at={point.time}>{dayTime(point.time)}</Time>
      <b>{quantity(point.value, unit)}</b>
      {point.quality !== 'valid' && <span class="tag bad">{t(`quality.${point.quality}`)}</span>}
      {mean !== null && limit !== null && (
        <span class={mean > limit.max ? 'over' : ''}>
          {statisticName(limit, texts)} {quantity(mean, unit)}
        </span>
      )}
    </p>
  );
}
