//! What figures are written with.

/// A table in Markdown, with its columns in line; all but the first are to the right where they are numbers.
#[must_use]
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let number = |cell: &String| cell.starts_with(|char: char| char.is_ascii_digit()) || cell.is_empty();
    let right = |column: usize| column > 0 && rows.iter().all(|row| row.get(column).is_some_and(number));
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
    };
    let columns: Vec<(usize, bool)> = (0..head.len()).map(|column| (width(column), right(column))).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, &(width, right))| match right {
            true => format!(" {cell:>width$} |"),
            false => format!(" {cell:width$} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = columns.iter().map(|&(width, right)| match right {
        true => format!("{}:|", "-".repeat(width + 1)),
        false => format!("{}|", "-".repeat(width + 2)),
    });
    let rule = format!("|{}\n", rule.collect::<String>());
    [line(&head), rule].into_iter().chain(rows.iter().map(line)).collect()
}

/// A number with commas between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// A page with other text between `<!-- NAME -->` and `<!-- end -->`; `None` where the page has no such place.
#[must_use]
pub fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let mark = format!("<!-- {name} -->\n");
    let (head, rest) = page.split_once(&mark)?;
    let (_, tail) = rest.split_once("<!-- end -->\n")?;
    Some(format!("{head}{mark}\n{text}\n<!-- end -->\n{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_numbers_are_to_the_right() {
        let rows = vec![
            vec!["a".to_owned(), "1,000".to_owned(), "x".to_owned()],
            vec!["bcd".to_owned(), "2".to_owned(), String::new()],
        ];
        let told = table(&["call", "fuel", "by"], rows);
        assert_eq!(
            told,
            "| call |  fuel | by  |\n|------|------:|-----|\n| a    | 1,000 | x   |\n| bcd  |     2 |     |\n"
        );
    }

    #[test]
    fn only_the_marked_place_changes() {
        let page = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\nkept\n<!-- end -->\n";
        let told = "a\n<!-- x -->\n\nnew\n\n<!-- end -->\nb\n<!-- y -->\nkept\n<!-- end -->\n";
        assert_eq!(replaced(page, "x", "new\n").as_deref(), Some(told));
        assert_eq!(replaced(page, "z", "new\n"), None);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
