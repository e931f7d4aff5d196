import { render } from 'preact';
import { App } from './app.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/desk.css';
import './styles/alerts.css';
import './styles/detail.css';
import './styles/draft.css';
import './styles/map.css';
import './styles/responsive.css';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
