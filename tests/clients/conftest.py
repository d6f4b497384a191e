"""A real Chromium."""
import shutil

import pytest


@pytest.fixture
def chromium(tmp_path):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    made = []

    def make(width=1100, height=900, dark=False, javascript=True):
        o = webdriver.ChromeOptions()
        o.binary_location = shutil.which("chromium")
        for a in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=%s/chromium-%d" % (tmp_path, len(made)),
                  "--window-size=%d,%d" % (width, height)):
            o.add_argument(a)
        if dark:
            o.add_argument("--force-dark-mode")
            o.add_argument("--blink-settings=preferredColorScheme=0")
        if not javascript:
            o.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        d = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=o)
        d.set_page_load_timeout(60)
        if dark:
            d.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        if width < 600:
            d.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True})
        made.append(d)
        return d

    yield make
    for d in made:
        d.quit()
