// The keys of what is on the screen.
import { t } from '../i18n';
import { allKeys } from '../keys';
import { Dialog } from './Dialog';

export function Help({ onClose }: { onClose: () => void }) {
  const keys = [...allKeys()].reverse().filter((key, i, all) => all.findIndex((other) => other.key === key.key) === i).reverse();
  return (
    <Dialog title={t('Keys')} onCancel={onClose}>
      <dl class="keys">
        {keys.map((key) => (
          <div key={key.key}>
            <dt><kbd>{key.key === 'Escape' ? 'Esc' : key.key}</kbd></dt>
            <dd>{key.what}</dd>
          </div>
        ))}
        <div>
          <dt><kbd>Enter</kbd></dt>
          <dd>{t('Open the chosen row')}</dd>
        </div>
      </dl>
      <p class="quiet">{t('Keys rest while you type or an input method composes.')}</p>
      <button onClick={onClose}>{t('Close')}</button>
    </Dialog>
  );
}
