/** Which device saw it, where it stands, and whether its measuring is vouched for. */
import type { Alert, RegisteredDevice } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { DistrictMap } from '../map/map.tsx';
import { Facts, Panel } from '../ui/parts.tsx';

export function DevicePanel({
  alert,
  device,
  area,
}: {
  alert: Alert;
  device: RegisteredDevice | null;
  area: string | null;
}) {
  const { t, bi } = useTexts();
  const certificate = device?.article41.verification ?? null;
  return (
    <Panel title={t('device.title')} class="device-panel" aside={<code class="dim">{alert.device}</code>}>
      <div class="device-split">
        <DistrictMap small focus={alert.id} />
        {device === null ? (
          <p class="dim">{t('device.unknown')}</p>
        ) : (
          <div>
            <p class="device-name">{bi(device.name)}</p>
            <Facts
              rows={[
                [t('device.street'), area],
                [t('device.site'), device.site],
                [t('device.model'), device.model === '' ? null : device.model],
                [
                  t('device.coordinates'),
                  `${device.location[0].toFixed(5)}, ${device.location[1].toFixed(5)}`,
                ],
                [
                  t('device.verification'),
                  certificate === null ? (
                    <span class="over">{t('device.verification.none')}</span>
                  ) : (
                    <>
                      {certificate.certificate}{' '}
                      <span class="dim">{t('device.verification.until', { date: certificate.to })}</span>
                    </>
                  ),
                ],
              ]}
            />
          </div>
        )}
      </div>
    </Panel>
  );
}
