// Starts the console.
import { render } from 'preact';

import { App } from './App';
import { begin } from './session';
import './copy';
import './style.css';

void begin();
render(<App />, document.getElementById('app')!);
