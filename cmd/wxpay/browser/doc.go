// Package browser tells the stories of wxpay's console in a real browser, which pays, explains a wrong signature, and stays
// closed to others. They run with WXPAY_TEST_BROWSER=1 and need Chromium; TestPictures leaves pictures of the pages in the
// folder pictures.
//
// The package has tests only. It is a module of its own, so that nobody else depends on the driver of the browser.
package browser
